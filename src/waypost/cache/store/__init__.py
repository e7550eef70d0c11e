"""Where entries are kept: one file a store, one contract for all."""
