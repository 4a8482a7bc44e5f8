import { rmSync } from 'node:fs'
import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3'
import Database from 'better-sqlite3'
import { PrismaClient } from '../generated/client'

/** The client that `prisma generate` made of `prisma/schema.prisma`, committed with the jobs. */
export async function run() {
  const file = 'data/prisma.sqlite'
  rmSync(file, { force: true })
  const sqlite = new Database(file)
  sqlite.exec(
    'CREATE TABLE Reading (id integer PRIMARY KEY AUTOINCREMENT, place text NOT NULL, value real NOT NULL)',
  )
  sqlite.close()
  const prisma = new PrismaClient({ adapter: new PrismaBetterSqlite3({ url: `file:${file}` }) })
  await prisma.reading.create({ data: { place: 'roof', value: 3.5 } })
  await prisma.$transaction([
    prisma.reading.create({ data: { place: 'roof', value: 4.5 } }),
    prisma.reading.create({ data: { place: 'cellar', value: 11 } }),
  ])
  const [rows, means] = await Promise.all([
    prisma.reading.findMany({ where: { value: { gt: 4 } }, orderBy: { value: 'asc' } }),
    prisma.reading.groupBy({ by: ['place'], _avg: { value: true }, orderBy: { place: 'asc' } }),
  ])
  await prisma.$disconnect()
  return { rows, means }
}
