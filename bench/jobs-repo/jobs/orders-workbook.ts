import ExcelJS from 'exceljs'
import { keep } from '../lib/bucket'
import { openDatabase } from '../lib/database'
import { monthBefore } from '../lib/days'

/** The orders of a month, as a workbook. */
export async function run() {
  const db = openDatabase()
  const rows = await db('orders').where('month', monthBefore().toISODate())
  await db.destroy()
  const workbook = new ExcelJS.Workbook()
  const sheet = workbook.addWorksheet('Orders')
  sheet.addRows(rows.map(Object.values))
  await keep('orders.xlsx', Buffer.from(await workbook.xlsx.writeBuffer()))
}
