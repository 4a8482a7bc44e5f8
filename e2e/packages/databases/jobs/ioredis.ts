import { Redis } from 'ioredis'
import { startRedis } from '../servers/redis'

/** A queue and a counter, with commands in a pipeline. */
export async function run() {
  const { port, stop } = await startRedis()
  const redis = new Redis({ host: '127.0.0.1', port })
  await redis.lpush('queue', 'first', 'second')
  const piped = await redis.pipeline().incrby('done', 2).incrby('done', 3).rpop('queue').exec()
  const rest = [await redis.rpop('queue'), await redis.rpop('queue')]
  const refused = await redis.call('NONSENSE').catch((error: Error) => error.message)
  await redis.quit()
  stop()
  return { piped, rest, refused }
}
