"""What proves an archive, copies it, rebuilds its database, removes from it."""
