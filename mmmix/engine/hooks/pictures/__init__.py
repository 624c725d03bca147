"""Pictures of batches and of detections."""
