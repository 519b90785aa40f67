"""What a picture's own file tells about how it was made, in PNG, JPEG and WebP."""
