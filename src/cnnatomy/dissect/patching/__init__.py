"""What methods that show real patches share."""
