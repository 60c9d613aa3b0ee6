"""What the owner of a machine runs first: do these models give here what they should, how fast, with what room left?"""
