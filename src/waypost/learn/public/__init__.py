"""Public sets of labelled texts as rows of ours: ``python -m waypost.learn.public NAME --out FILE``.

What comes out is what ``waypost train --extra FILE`` takes. Test splits are never read.
"""
