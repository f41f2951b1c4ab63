"""Files in and out: the only package that opens images and rasters; NumPy in, NumPy out, torch never imported."""
