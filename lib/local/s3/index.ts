export { createS3, type LocalS3, type S3Options } from './service';
