"""What every package may import: errors for people, and Postgres connections. It imports none."""
