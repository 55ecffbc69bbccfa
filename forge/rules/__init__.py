"""What stages know of titles, paths, patches and people: facts and expressions, no rows."""
