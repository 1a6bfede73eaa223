"""The simulator of Orange's SMS API for Africa and the Middle East, as reference/orange_sms.md describes it."""
