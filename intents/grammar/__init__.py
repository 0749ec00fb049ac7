"""The grammar of spoken English times: the words, and the phrases for days, times of day and repetitions."""
