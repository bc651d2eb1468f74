"""The world: roads, vehicle, camera and the gymnasium environment `LaneKeeping-v0`."""
