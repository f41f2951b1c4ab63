"""The kernels under the names, arguments and defaults of other packages, to change one import line."""
