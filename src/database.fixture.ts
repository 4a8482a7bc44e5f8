import { holdLock } from './database.ts'

// Holds the lock of the file it is given, says so, and stays until it is ended.
const lock = holdLock(process.argv[2] ?? '')
process.stdout.write(lock ? 'held\n' : 'refused\n')
if (lock) setInterval(() => {}, 60_000)
