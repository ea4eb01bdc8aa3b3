"""The names of the fields that dataset readers write and the model or its heads read."""

TEXT = "text"
TEXT_PAIR = "text_pair"
TASK = "task"
HEADS = "heads"
RESERVED = (TEXT, TASK, HEADS)
"""Names that a label cannot have."""

HEAD_INDICES = "head_indices"
MASKED_TOKENS = "masked_tokens"
