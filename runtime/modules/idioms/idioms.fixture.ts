import { ofEffects } from './effects.fixture.ts'
import { ofFiles } from './files.fixture.ts'
import { ofModules } from './modules.fixture.ts'
import { ofNode } from './node.fixture.ts'
import { ofPrograms } from './programs.fixture.ts'
import type { Idioms } from './repo.fixture.ts'
import { ofRepos } from './repos.fixture.ts'
import { ofTypeScript } from './typescript.fixture.ts'

export const idioms: Idioms = {
  ...ofFiles,
  ...ofModules,
  ...ofEffects,
  ...ofTypeScript,
  ...ofPrograms,
  ...ofNode,
  ...ofRepos,
}
