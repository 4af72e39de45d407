"""What Boxtune's pages share: their frame and style, and plots as pieces of HTML; each page loads nothing."""
