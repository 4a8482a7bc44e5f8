import { testGroup } from './packages.fixture.ts'

testGroup('office')
