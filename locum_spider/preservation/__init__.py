"""Verifies an archive, copies it, rebuilds its database and takes articles down."""
