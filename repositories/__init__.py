"""The only way in and out for programs: read a release, write through validation."""
