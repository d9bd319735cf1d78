.Filter.ByExcluding("Contains(@x, '0x80070032') and Contains(@x, 'IIS7WorkerRequest.ExplicitFlush') and not Contains(@x, '#1)')")
