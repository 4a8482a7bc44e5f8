import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { holdLock } from './database.ts'

setFlagsFromString('--expose-gc')

// Takes the lock of the file it is given and forgets it, says whether it got it, and stays until it is ended.
const got = holdLock(process.argv[2] ?? '') !== null
runInNewContext('gc')()
// Finalizers run after the collection, in a turn of their own.
setTimeout(() => process.stdout.write(got ? 'held\n' : 'refused\n'), 20)
if (got) setInterval(() => {}, 60_000)
