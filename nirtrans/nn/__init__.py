"""Parts of networks: blocks, norms, generators, discriminators, initialisation and the image pool."""
