import type { TestContext } from 'node:test'
import type Docker from 'dockerode'
import { randomText } from '../src/ids.ts'
import { testImage } from './longhouse.fixture.ts'

/** Makes an image of the runtime's with another id; with `command` it runs that instead. */
export async function anotherImage(
  t: Pick<TestContext, 'after'>,
  docker: Docker,
  command?: string[],
): Promise<string> {
  const tag = `longhouse-test-${randomText(8)}:upgrade`
  const [repo, name] = tag.split(':')
  const container = await docker.createContainer({
    Image: testImage ?? '',
    Labels: { 'longhouse.test': tag },
    ...(command && { Entrypoint: command, Cmd: [] }),
  })
  await container.commit({ repo, tag: name })
  await container.remove()
  t.after(() =>
    docker
      .getImage(tag)
      .remove({ force: true })
      .catch(() => {}),
  )
  return tag
}
