"""Several router processes: what the supervising one and its workers say to each other, and who restarts whom."""
