"""What goes over the wire: requests read and edited in place, answers written, responses watched. No I/O."""
