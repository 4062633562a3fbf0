"""What the hub's benchmark needs: the load generator, the servers it is turned on, and their installation."""
