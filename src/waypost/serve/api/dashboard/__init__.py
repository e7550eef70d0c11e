"""The dashboard and playground: static pages, and the little that they need of the server beside the API."""
