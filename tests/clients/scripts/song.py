"""Writes a silent WAV file with an artist and a title in its tags: FILE ARTIST TITLE SECONDS."""

import sys
import wave

import mediafile

path, artist, title, seconds = sys.argv[1:]
with wave.open(path, "wb") as song:
    song.setnchannels(1)
    song.setsampwidth(1)
    song.setframerate(1000)
    song.writeframes(b"\x80" * int(float(seconds) * 1000))
tags = mediafile.MediaFile(path)
tags.artist, tags.title = artist, title
tags.save()
