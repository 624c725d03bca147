"""The processes of a run: started, joined, agreed and queued again."""
