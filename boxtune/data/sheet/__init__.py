"""How data look: one page of boxes on images, the odd ones first."""
