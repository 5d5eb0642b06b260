"""The report as one offline HTML page. Pure: it shows the JSON documents of `report` and `tune`, and counts nothing."""
