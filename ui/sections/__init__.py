"""The parts of pages that are more than one component: what pages/*.py arrange. A section knows its page's questions."""
