"""The page: ES modules served as they are; this file only makes the folder a package."""
