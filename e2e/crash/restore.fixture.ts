// The program that makes a fresh host whole, which kills itself. See `chain.fixture.ts`.
import { Kills } from './kills.fixture.ts'

const kills = new Kills(JSON.parse(process.env.MATRIX_KILLS ?? '{}'))
kills.watch()
kills.arm()
await import('../../control-plane/restore.ts')
