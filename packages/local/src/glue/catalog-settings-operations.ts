import type { GlueOperations } from './glue-operations.ts'

/** What consoles and engines ask of a catalog as a whole. Nothing is encrypted here, and nothing has to be imported. */
export const catalogSettingsOperations: GlueOperations = {
  GetCatalogImportStatus: () => ({ ImportStatus: { ImportCompleted: true } }),
  GetDataCatalogEncryptionSettings: () => ({
    DataCatalogEncryptionSettings: {
      EncryptionAtRest: { CatalogEncryptionMode: 'DISABLED' },
      ConnectionPasswordEncryption: { ReturnConnectionPasswordEncrypted: false },
    },
  }),
}
