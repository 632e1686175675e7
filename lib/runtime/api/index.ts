export * from './client';
export * from './job';
export * from './run';
