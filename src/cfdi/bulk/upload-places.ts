import { companyUploading, processUploading } from './errors.ts'

/**
 * Who may upload now: four at once in this process, and one of a company. Each holds a connection for minutes and writes
 * to the disk all the while.
 * @throws AppError too_many `limite_inquilino`, unavailable `sobrecarga`
 */
export function createUploadPlaces(perProcess = 4): (tenantId: string) => () => void {
  const uploading = new Set<string>()
  return (tenantId) => {
    if (uploading.has(tenantId)) throw companyUploading()
    if (uploading.size >= perProcess) throw processUploading()
    uploading.add(tenantId)
    return () => void uploading.delete(tenantId)
  }
}
