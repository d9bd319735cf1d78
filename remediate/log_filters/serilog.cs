.Filter.ByExcluding("@x like '%0x80070032%' and @x like '%IIS7WorkerRequest.ExplicitFlush%' and @x not like '%#1)%'")
