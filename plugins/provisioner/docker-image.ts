import { type Engine, EngineAnswer, orNull } from './docker-engine.ts'
import { DriverError } from './driver.ts'

const pullWithinMs = 15 * 60_000

/** The id of what an image's name means on this engine; null when it is not there. */
export async function imageId(engine: Engine, image: string): Promise<string | null> {
  const found = await orNull(
    engine.ask(`look at the image ${image}`, docker => docker.getImage(image).inspect(), { expected: [404] }),
  )
  return found?.Id ?? null
}

/**
 * Fetches an image that is not there. A name without a repository path is one that was built on this machine: the
 * public registry is not asked for it, for whoever registered that name there could be anybody.
 */
export async function pullImage(engine: Engine, image: string): Promise<void> {
  if (!image.includes('/')) {
    throw new DriverError(
      `the image ${image} is not on this Docker engine; build it there (npm run images), or set CONTROL_PLANE_IMAGE to one that is`,
      { permanent: true },
    )
  }
  try {
    await engine.ask(
      `pull the image ${image}`,
      async (docker, abortSignal) => {
        const progress: NodeJS.ReadableStream = await docker.pull(image, { abortSignal })
        await new Promise<void>((resolve, reject) => {
          docker.modem.followProgress(progress, (error: Error | null) => (error ? reject(error) : resolve()))
        })
      },
      { timeoutMs: pullWithinMs, expected: [400, 401, 403, 404] },
    )
  } catch (error) {
    if (!(error instanceof EngineAnswer)) throw error
    throw new DriverError(
      `the image ${image} is not on this Docker engine and its registry does not give it: ${error.message} — pull or build it on the engine, or set CONTROL_PLANE_IMAGE to one that is there`,
      { permanent: true, cause: error },
    )
  }
}
