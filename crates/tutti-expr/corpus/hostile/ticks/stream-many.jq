[range(1e5)] | [tostream] | fromstream(.[]) | tostream
