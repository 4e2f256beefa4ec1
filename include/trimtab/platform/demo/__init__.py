"""The main job on real data: a year of New York flights, fed month by month."""
