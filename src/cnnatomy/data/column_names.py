"""What people call the columns of their tables, in small letters, the surest names first."""

#: The column of the classes; of what must not be parted; of what a line is a moment of; of the splits.
LABELS = ("label", "labels", "class", "classes", "category", "target", "y", "sentiment", "verdict", "tag", "stars",
          "rating", "gesture", "activity", "类别", "标签", "情感")  # fmt: skip
GROUPS = ("group", "person", "subject", "patient", "speaker", "user", "participant", "animal")
RECORDINGS = ("recording", "record", "trial", "segment", "series", "session", "sequence", "id", "case", "file", "clip")
SPLITS = ("split", "set", "subset", "partition", "fold")
