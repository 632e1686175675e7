export { RawCloud } from './raw-cloud';
export type { RawCloudProps } from './raw-cloud';
