"""Where a picture is: landscapes, rooms, cities, space, under water, and abstract pictures."""
