"""What each pane shows: from the stand and a query to what its template is filled with."""
