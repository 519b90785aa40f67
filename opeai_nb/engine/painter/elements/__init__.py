"""What many scenes share: sky, light, terrain, water, trees, grass and weather."""
