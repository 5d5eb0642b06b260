"""Operations behind the commands: explain, report, erase, replay, check events, import lists."""
