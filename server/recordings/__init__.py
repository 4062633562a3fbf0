"""Recordings on the server: taken in from laptops, checked, kept sealed; opened only with the evidence key."""
