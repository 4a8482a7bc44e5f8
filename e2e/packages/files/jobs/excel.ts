import ExcelJS from 'exceljs'

/** Writes a workbook with a formula and a style, and reads it again. */
export async function run() {
  const workbook = new ExcelJS.Workbook()
  const sheet = workbook.addWorksheet('January')
  sheet.columns = [
    { header: 'Place', key: 'place', width: 20 },
    { header: 'Value', key: 'value' },
  ]
  sheet.addRows([
    { place: 'roof', value: 3.5 },
    { place: 'cellar', value: 11 },
  ])
  sheet.getCell('B4').value = { formula: 'SUM(B2:B3)', result: 14.5 }
  sheet.getRow(1).font = { bold: true }
  await workbook.xlsx.writeFile('data/readings.xlsx')
  const again = new ExcelJS.Workbook()
  await again.xlsx.readFile('data/readings.xlsx')
  const read = again.getWorksheet('January')
  const rows: unknown[] = []
  read?.eachRow(row => rows.push((row.values as unknown[]).slice(1)))
  return { rows, bold: read?.getCell('A1').font.bold }
}
